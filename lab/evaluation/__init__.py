"""The evaluation: every method on held-out drawn characters, whose true frames are known."""
