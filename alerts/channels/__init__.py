"""Ways to reach a partner, one file each, by the name of their kind."""

CHANNELS: dict[str, str] = {
    "file": "alerts.channels.file:FileChannel",
    "webhook": "alerts.channels.webhook:WebhookChannel",
}
