"""When to poll, what an answer means, and the use cases: plain asyncio, no screen, no HTTP library."""
