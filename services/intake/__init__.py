"""Intake: keeps applications, and what became of them.

Decides whether a submission is accepted (not whether its applicant may join), keeps every revision, withdrawal and
import, and the status of each application. Consumes decisions, email reports, dead letters, policies and pauses;
publishes applications submitted, amended and withdrawn. Its ledger accounts for every application accepted.
"""
