"""Policy is data: the types of a pack, the strict loader, the engine, and the one validation of answers.

`loader.load_pack(folder)` makes a `Policy`, `engine.Engine(document)` answers applications, `answers.check(document,
submission)` validates them, and `receipt.explain(document, lines, locale)` puts a receipt into words.
"""
