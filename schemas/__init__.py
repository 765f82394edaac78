"""What crosses a topic: definitions, inbound records, outbound events, and the schemas generated from them."""
