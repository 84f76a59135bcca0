"""The Runner of tools/train.py."""

from mmengine.runner import Runner


class LateDumpRunner(Runner):
    """MMEngine's Runner, which writes its config into the work dir when everything has been built and loaded.

    MMEngine writes it first, so that a resumed run that then fails, because its config does not fit the checkpoint for
    example, has replaced the config of the run so far.

    Example:
        >>> LateDumpRunner.from_cfg(cfg).train()
    """

    def dump_config(self) -> None:
        """Do nothing yet."""

    def load_or_resume(self) -> None:
        """Load or resume as MMEngine does, which is the last step before the first iteration; then write the config."""
        super().load_or_resume()
        super().dump_config()
