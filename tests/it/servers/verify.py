"""Asks the reference library of Standard Webhooks whether a call is to be taken.

usage: verify.py SECRET ID TIMESTAMP SIGNATURE BODY   prints `taken`, or `refused: ` and why
"""
import sys

from standardwebhooks import Webhook, WebhookVerificationError

secret, key, timestamp, signature, body = sys.argv[1:]
headers = {"webhook-id": key, "webhook-timestamp": timestamp, "webhook-signature": signature}
try:
    Webhook(secret).verify(body, headers)
    print("taken")
except WebhookVerificationError as error:
    print(f"refused: {error}")
