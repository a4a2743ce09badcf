"""A plain peer: what a good developer writes with the same libraries in an afternoon.

FastStream with one message per application, `insert_one`, `EmailMessage`, a new SMTP connection for each mail, default
settings; but persistent messages, confirms and majority, journaled writes, as ours. It reads the same file, validates
with the same pack, decides with the same rules, stores the same facts, keeps the same status, renders the same letters
and sends the same number of mails. What it lacks is what ours is for: it may lose or repeat work when something stops.

    intake ──submitted──▶ eligibility ──decided──▶ notifications ──sent──▶ intake
       └────────submitted────────▶ notifications        └──decided──▶ intake
"""
