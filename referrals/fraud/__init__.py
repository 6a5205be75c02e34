"""Checks against fraud: what speaks against a referral, how much it weighs, and who decides then.

`rules` and `counter_rules` are pure; `facts` and `walks` read what is compared; `looking` judges, `examining` looks
again at those that wait; `blocks`, `settings` and `learning` are the store's own say.
"""
