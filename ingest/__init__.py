"""LLM API request logs from Kafka to Elasticsearch: right numbers, nothing lost."""
