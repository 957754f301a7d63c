"""The shipped plugin `bgce_notifications`: tells a webhook how each run ended, by the `post_apply` hook.

`plugins = ["bgce_notifications"]` in bgce.toml loads it; `[notifications]` says whom it tells of what.
"""

from __future__ import annotations

import os

from bgce_migrate.errors import Unavailable
from bgce_migrate.hookspecs import hookimpl
from bgce_migrate.notifying.model import Notices
from bgce_migrate.outcome import RunReport

NAME = "bgce_notifications"


class Webhook:
    """Tells one webhook of one project's runs."""

    def __init__(self, notices: Notices, project: str) -> None:
        self._notices = notices
        self._project = project

    @hookimpl
    def post_apply(self, report: RunReport) -> None:
        """Send the report of a run that has ended.

        Raises:
            Unavailable: it was not taken. The run is over; the host makes a warning of it.
        """
        from bgce_migrate.notifying.message import event_of, message

        notices = self._notices
        if event_of(report) not in notices.on:
            return
        if notices.environments and report.environment not in notices.environments:
            return
        url = os.environ.get(notices.url_env)
        if url is None and not notices.environments:
            return  # a developer's machine; where an environment is named, somebody waits for the message
        from bgce_migrate.notifying.sending import post

        if not url:
            raise Unavailable(f"nobody is told of this run: {notices.url_env} is {'not set' if url is None else 'empty'}")
        import msgspec

        fault = post(url.strip(), msgspec.json.encode(message(self._project, report)), notices.timeout)
        if fault is not None:
            raise Unavailable(f"nobody is told of this run: the webhook of {notices.url_env} {fault}")


plugin = Webhook(Notices(), "bgce-migrate")
