"""The command line. A file registers the commands of one group. A command's own module is loaded when it is given."""

from softphone.cli.command_line import build_parser, main

__all__ = ["build_parser", "main"]
