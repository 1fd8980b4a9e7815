"""Patrols (网上巡查、扫街): every premises is looked at in time, with a form, and nobody twice at once."""
