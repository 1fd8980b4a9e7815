"""What leaves for other systems: receivers, messages to them, and every attempt to deliver one."""
