"""Names are written once, and every event that is consumed reaches somebody."""

from __future__ import annotations

import pytest

from shared.events import EVENTS
from shared.topology import CONSUMED, DELIVERY_LIMIT, LANES, Topology, is_consumed


def test_every_consumed_type_is_declared_as_an_event() -> None:
    assert {event_type for types in CONSUMED.values() for event_type in types} <= EVENTS.keys()


def test_no_service_consumes_a_type_twice() -> None:
    assert all(len(types) == len(set(types)) for types in CONSUMED.values())


@pytest.mark.parametrize("event_type", sorted(EVENTS))
def test_what_nobody_consumes_is_known(event_type: str) -> None:
    assert is_consumed(event_type) == any(event_type in types for types in CONSUMED.values())


def test_a_queue_is_bound_to_its_lane_and_its_types_alone() -> None:
    topology = Topology("x")
    assert set(topology.bindings("eligibility", "bulk")) == {
        "bulk.application.submitted.v1",
        "bulk.application.amended.v1",
        "bulk.application.withdrawn.v1",
        "bulk.application.erased.v1",
        "bulk.application.appealed.v1",
        "bulk.nomination.answered.v1",
        "bulk.interest.requested.v1",
        "bulk.interest.erased.v1",
        "bulk.liaison.requested.v1",
        "bulk.liaison.erased.v1",
        "bulk.receipts.decided.v1",
        "bulk.ledger.reported.v1",
        "bulk.deed.recorded.v1",
    }


def test_two_installations_share_no_name() -> None:
    def names(topology: Topology) -> set[str]:
        queues = {topology.queue(service, lane) for service in CONSUMED for lane in LANES}
        dead = {topology.dead_letter_queue(service) for service in CONSUMED}
        partners = {topology.partner_exchange, topology.partner_queue, topology.partner_dead_letter_queue}
        return {topology.exchange, topology.dead_letter_exchange, *queues, *dead, *partners}

    one, other = names(Topology("one")), names(Topology("other"))
    assert len(one) == 2 + 3 * len(CONSUMED) + 3
    assert not one & other


def test_working_queues_are_quorum_queues_that_give_up_into_their_services_dead_letters() -> None:
    topology = Topology()
    arguments = topology.queue_arguments("intake")
    assert arguments["x-queue-type"] == "quorum"
    assert arguments["x-dead-letter-exchange"] == topology.dead_letter_exchange
    assert arguments["x-dead-letter-routing-key"] == "intake"


def test_no_queue_has_the_brokers_low_default_of_deliveries() -> None:
    topology = Topology()
    queues = topology.queue_arguments("intake"), topology.partner_queue_arguments()
    for arguments in (*queues, topology.dead_letter_queue_arguments()):
        assert arguments["x-delivery-limit"] == DELIVERY_LIMIT
