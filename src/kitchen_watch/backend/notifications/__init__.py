"""Notifications: who is told what of an alert, in the application, by e-mail and in groups' chats."""
