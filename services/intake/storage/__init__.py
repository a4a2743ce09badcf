"""Mongo documents from and to the domain. The only modules of intake that touch the database."""
