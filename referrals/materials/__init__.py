"""Share materials: their words (`words`), how they are drawn (`drawing`, `paper`), what a run brought (`results`).

Print runs are made in `referrals.services.prints`.
"""
