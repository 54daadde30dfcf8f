"""A mail server for tests: says its port, then each message that it takes as one line of JSON."""

import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP


class Box:
    """Mailboxes that begin with `busy` are busy the first time, those with `nobody` are nobody's."""

    def __init__(self):
        self.busy = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 nobody of this name"
        if address.startswith("busy") and address not in self.busy:
            self.busy.add(address)
            return "451 4.7.1 come again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        text = mail.get_body(("plain",))
        html = mail.get_body(("html",))
        said = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": text and text.get_content(),
            "html": html and html.get_content(),
        }
        print(json.dumps(said), flush=True)
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    box = Box()
    server = await loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Ends with whoever started it.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
