"""What is looked for where: rule sets, campaigns, zones and masks, compiled and offered to the edges."""
