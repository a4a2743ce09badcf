"""The secretariat's console at `/console`.

To add a page, write a module here with `routes(console, …)` and include its router in `app/console.py`, or where its parts
are wired, with the console that `add_console` returns:

    def routes(console: Console, cases: Cases) -> APIRouter:
        console.entry("Work", "Cases", "/console/cases", order=20)          # in the navigation of whoever may see it
        router = APIRouter(include_in_schema=False)

        @router.get("/console/cases")
        async def queue(visit: OperatorVisit) -> HTMLResponse:              # or DeciderVisit, AdminVisit
            return visit.page("console/cases.html", cases=await cases.all())

        @router.post("/console/cases/{case_id}/comments")
        async def comment(visit: OperatorVisit, case_id: str) -> Response:  # its form was checked against CSRF already
            try:
                await cases.comment(case_id, visit.text("comment"), by=visit.name)   # the actor, for the record
            except (Refused, Conflict) as error:
                return visit.page("console/cases.html", problems=error, cases=await cases.all())
            return visit.done("/console/cases", "Your comment is on record.")        # see other, with a notice

        return router

Templates lie in `pages/templates/console/`, begin with `{% extends "console/frame.html" %}` and fill the blocks `title`
and `main`; `{% import "console/fields.html" as fields with context %}` has form fields that show `problems` and what was
typed. Every form is `<form method="post">{{ fields.token() }} …`. `visit` is there in every template: `visit.may("admin")`.

Every page works without script. htmx is there for what is better in place: a list that is filtered as one types, or a
progress bar. Let it fetch the page itself and pick its part, so that there is no second way to make it:
`<form method="get" hx-get="/console/cases" hx-select="#found" hx-target="#found" hx-swap="outerHTML" hx-push-url="true"
hx-trigger="input delay:300ms, submit">`. No inline script or style: the browser is told to refuse them.
"""
