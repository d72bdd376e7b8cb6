"""When to poll, what an answer means, and the services: plain asyncio, no screen, no HTTP library."""
