"""Intake: keeps applications, and what became of them.

Decides whether a submission is accepted (not whether its applicant may join) and who of the people it names is asked;
keeps every revision, withdrawal, appeal and import, what nominees answered, and the status of each application. Consumes
decisions, email reports, dead letters, policies, pauses and erasures of enquiries; publishes applications submitted,
amended, withdrawn, appealed and erased, links, drafts, nominations, enquiries and replies to email. Its ledger accounts for
every application accepted; campaigns are told up to when every receipt is decided.
"""
