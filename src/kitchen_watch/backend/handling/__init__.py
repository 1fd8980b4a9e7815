"""What people do to an alert: every step, both owners, appeals and rectifications, each written down."""
