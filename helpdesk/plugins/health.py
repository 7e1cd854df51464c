"""How a hook of a plugin does in this process: counts, times, and the breaker that lets it rest."""

import time
from dataclasses import dataclass, field
from typing import Final

# So many failures in a row, and the hook rests; then one try, and twice the rest if it fails again.
FAILURES: Final = 5
FIRST_REST, LONGEST_REST = 60.0, 900.0


@dataclass(frozen=True)
class Count:
    """What one hook of one plugin did since it was last asked; ``error`` is the last one, ``rests`` how many seconds
    it still rests."""

    plugin: str
    hook: str
    calls: int
    errors: int
    slow: int
    seconds: float
    error: str
    rests: float = 0.0


@dataclass
class Health:
    """Calls, errors, slow calls and seconds of one hook of one plugin in this process."""

    calls: int = 0
    errors: int = 0
    slow: int = 0
    seconds: float = 0.0
    error: str = ""
    # Failures since the last success, and until when (monotonic) the hook rests because of them.
    streak: int = 0
    rests_until: float = 0.0
    _told: tuple[int, int, int, float] = field(default=(0, 0, 0, 0.0), repr=False)

    @property
    def resting(self) -> bool:
        return self.streak >= FAILURES and time.monotonic() < self.rests_until

    def failed(self, error: BaseException) -> bool:
        """Count a failure; True when the hook rests from now on."""
        self.errors += 1
        self.error = f"{type(error).__name__}: {error}"[:500]
        self.streak += 1
        if self.streak < FAILURES:
            return False
        rest = min(FIRST_REST * 2 ** min(self.streak - FAILURES, 10), LONGEST_REST)
        self.rests_until = time.monotonic() + rest
        return True

    def since_told(self, plugin: str, hook: str, may_rest: bool = True) -> Count | None:
        """What has been added since the last call, or None."""
        now = (self.calls, self.errors, self.slow, self.seconds)
        before, self._told = self._told, now
        if now == before:
            return None
        calls, errors, slow = now[0] - before[0], now[1] - before[1], now[2] - before[2]
        rests = self.rests_until - time.monotonic() if may_rest and errors and self.resting else 0.0
        return Count(plugin, hook, calls, errors, slow, now[3] - before[3], self.error if errors else "", rests)
