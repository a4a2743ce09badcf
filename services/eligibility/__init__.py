"""Decides applications by the policy and the pauses in force at their receipt, and keeps the receipts.

Consumes application.submitted, application.amended, application.withdrawn.
Publishes application.decided, interest.registered, policy.activated, pause.changed.
"""
