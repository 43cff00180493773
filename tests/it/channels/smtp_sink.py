"""A real SMTP server for the tests: keeps accepted mails as files, misbehaves as the file `mode` says.

NNN.eml is a mail as it came, NNN.txt its plain text as Python's own mail parser reads it.

usage: smtp_sink.py FOLDER   prints its port, then serves until it is killed
modes: ok | later (451) | full (452) | never (550) | auth (535) | hang (no answer) | cut (break after the last byte)
       half (half an answer, then the end of its side) | greylist (451 to the first attempt for an address)
       at MAIL|RCPT|DATA ANSWER (that answer, or hang, or cut)
"""
import asyncio
import email
import email.policy
import pathlib
import socket
import sys

from aiosmtpd.smtp import SMTP

folder = pathlib.Path(sys.argv[1])


def mode():
    return (folder / "mode").read_text()


greeted = set()


async def told(server, command):
    at, _, answer = mode().partition(f"at {command} ")
    if at or not answer:
        return None
    if answer == "hang":
        await asyncio.sleep(3600)
    if answer == "cut":
        server.transport.abort()
    return answer


class Sink:
    def keep(self, envelope):
        number = len(list(folder.glob("*.eml")))
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        (folder / f"{number:03}.txt").write_text(mail.get_body(("plain",)).get_content())
        part = folder / f"{number:03}.part"
        part.write_bytes(envelope.original_content)
        part.rename(folder / f"{number:03}.eml")

    async def handle_MAIL(self, server, session, envelope, address, options):
        if mode() == "auth":
            return "535 5.7.8 bad credentials for secret@example.go.id"
        if answer := await told(server, "MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if mode() == "never":
            return f"550 5.1.1 no such user {address}"
        if answer := await told(server, "RCPT"):
            return answer
        if mode() == "greylist" and address not in greeted:
            greeted.add(address)
            return f"451 4.7.1 {address} greylisted, come back"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if answer := await told(server, "DATA"):
            return answer
        match mode():
            case "later":
                return "451 4.7.1 greylisted, come back"
            case "full":
                return "452 4.3.1 no room"
            case "hang":
                await asyncio.sleep(3600)
            case "cut":
                self.keep(envelope)
                server.transport.abort()
            case "half":
                self.keep(envelope)
                server.transport.write(b"25")
                server.transport.write_eof()
                await asyncio.sleep(3600)
        if mode() != "cut":
            self.keep(envelope)
        return "250 2.0.0 OK: queued as SINK1"


async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(Sink(), hostname="sink", enable_SMTPUTF8=False), sock=listener)
    print(listener.getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
