"""What earlier versions of edges say, kept word for word, against today's backend."""
