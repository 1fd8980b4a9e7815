"""The supervision service: events in; alerts, deadlines, reports and pages out."""
