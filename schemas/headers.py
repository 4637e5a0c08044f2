"""Names and limits of the Kafka headers that this product writes and reads."""

ID = "ingest-id"
INDEX = "ingest-index"
VERSION = "ingest-version"
REASON = "ingest-reason"
STAGE = "ingest-stage"
RECORD_TIME = "ingest-record-time"
ORIGIN = "ingest-origin"

OWN_PREFIX = "ingest-"
MAX_COUNT = 64
MAX_BYTES = 16 * 1024
