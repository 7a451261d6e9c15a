"""The study of pose alignment: every mode on clips whose true alignment is known."""
