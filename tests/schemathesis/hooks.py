"""Bodies of a kind that Schemathesis does not know by itself: pieces of an upload."""
import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def octets(_context, value):
    return value if isinstance(value, bytes) else str(value).encode()
