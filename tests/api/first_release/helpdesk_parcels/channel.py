import json
import uuid

from helpdesk.api import DeliveryFailed, IncomingFile, IntakeDraft, OutgoingMessage, snippet

sent: list[OutgoingMessage] = []


def parse(raw: bytes) -> IntakeDraft:
    item = json.loads(raw)
    return IntakeDraft(
        channel="parcels",
        sender_address=item["from"],
        sender_name=item.get("name", ""),
        subject=item.get("subject", ""),
        text=item["text"],
        files=[IncomingFile("label.txt", "text/plain", item["text"].encode())],
        external_id=snippet(item["text"], 40),
    )


def send(outgoing: OutgoingMessage) -> None:
    if outgoing.address.endswith("@gone.example"):
        raise DeliveryFailed("The address is gone.", permanent=True)
    sent.append(outgoing)


def new_identity() -> str:
    return uuid.uuid4().hex
