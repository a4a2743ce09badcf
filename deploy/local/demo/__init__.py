"""The demo: a year of the Alliance in a few chapters, told through the public HTTP APIs alone."""

from deploy.local.demo.run import run

__all__ = ["run"]
