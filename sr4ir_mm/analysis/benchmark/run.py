"""The measurements of one job."""

from collections.abc import Iterator

from .jobs import Job
from .results import entry
from .training import training
from .turns import take_turns
from .variants import find_variants


def measure(job: Job, args) -> Iterator[dict]:
    variants = find_variants(args.variants)
    works = {name: (training, dict(job=job, variant=variant, device=args.device)) for name, variant in variants.items()}
    measured = take_turns(works, args.iters, args.warmup, args.threads, args.device)
    floors = {name: variant.floor for name, variant in variants.items() if variant.floor}
    yield entry('training', job.title, args.device, measured, floors=floors)
