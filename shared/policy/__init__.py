"""Policy is data: the types of a pack, the strict loader, the engine, and the one validation of answers.

    loader.load_pack(folder) → Policy          engine.Engine(document).answer(application) → receipt lines
    answers.check(document, submission)        receipt.explain(document, lines, locale)
"""
