"""What our beat would be without its own ways."""

from __future__ import annotations

from celery.beat import PersistentScheduler

from config.beat import SelfReliant


class OurJobs(SelfReliant):
    """Our jobs, and for the rest Celery's own scheduler."""

    tick = PersistentScheduler.tick
    apply_async = PersistentScheduler.apply_async
    _ensure_connected = PersistentScheduler._ensure_connected
