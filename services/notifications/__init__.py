"""Notifications: decides which email an application gets and when it goes out, and keeps every email with its history.

Consumes `application.submitted|amended|withdrawn|appealed|erased|decided`, `nomination.requested`, `draft.saved`,
`link.requested|revoked`, `interest.registered|invited|erased`, `liaison.requested|erased`, `inbound.answered`,
`policy.activated`, `pause.changed`; publishes `email.sent` and `email.failed`.
"""
