"""A name server on loopback that answers for what it is told, with real packets; it can be silent, too."""

from __future__ import annotations

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class FakeDns:
    """Authoritative for everything: TXT and CNAME records by name."""

    def __init__(self, txt: dict[str, list[str]] | None = None, cname: dict[str, str] | None = None) -> None:
        self.txt, self.cname = txt or {}, cname or {}
        self.asked: list[str] = []
        self.is_silent, self.rcode = False, dns.rcode.NOERROR
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                packet, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(dns.message.from_wire(packet))
            if not self.is_silent:
                self.socket.sendto(answer.to_wire(), peer)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA | dns.flags.RA
        answer.set_rcode(self.rcode)
        while name in self.cname:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{self.cname[name]}."))
            name = self.cname[name]
        texts = self.txt.get(name, [])
        if texts:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *[_pieces(one) for one in texts]))
        elif not answer.answer and self.rcode == dns.rcode.NOERROR:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    def close(self) -> None:
        self.socket.close()


def _pieces(text: str) -> str:
    """A TXT record holds 255 bytes in a piece."""
    return " ".join(f'"{text[place : place + 255]}"' for place in range(0, len(text), 255))
