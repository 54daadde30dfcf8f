"""A mail server for tests: says its port, then each message that it takes as one line of JSON."""

import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller


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


controller = Controller(Box(), hostname="127.0.0.1", port=0, ready_timeout=20)
# Port 0 is one that is free; the controller cannot look itself up there, so it only listens.
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
server = loop.run_until_complete(loop.create_server(controller.factory, "127.0.0.1", 0))
print(server.sockets[0].getsockname()[1], flush=True)
# Ends with whoever started it.
loop.run_in_executor(None, lambda: (sys.stdin.read(), loop.call_soon_threadsafe(loop.stop)))
loop.run_forever()
