"""Decides applications by the policy and the pauses in force at their receipt, and keeps the receipts.

Keeps what nominees answered, and appeals, too; invites who asked to be told when a pause is over.
Consumes application.submitted, amended, withdrawn, appealed and erased, nomination.answered, interest.requested,
liaison.requested, receipts.decided.
Publishes application.decided, interest.registered, invited and erased, liaison.erased, policy.activated, pause.changed.
"""
