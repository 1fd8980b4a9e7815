"""Letters: 提醒函 and 督办通知 as numbered documents that nobody changes once they are issued."""
