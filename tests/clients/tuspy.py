"""Uploads a file with tuspy as it comes: python tuspy.py (settings from the environment)."""
from os import environ

from tusclient.client import TusClient

client = TusClient(environ["ENDPOINT"], headers={"Authorization": f"Bearer {environ['TOKEN']}"})
uploader = client.uploader(
    environ["FILE"],
    chunk_size=int(environ["CHUNK"]),
    metadata={"filename": "photo.jpg", "evidence": environ["EVIDENCE"]},
    retries=40,
    retry_delay=0.02,
    upload_checksum=environ.get("CHECKSUM") == "1",
)
uploader.upload()
