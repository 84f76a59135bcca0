"""The confusion matrix of a classifier or a segmentor."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure
from mmengine.structures import BaseDataElement

#: largest number of classes whose shares and names can be read in the picture
_WITH_NUMBERS, _WITH_NAMES = 16, 60
#: largest number of classes of which there is a matrix: it has the square of it
LIMIT = 1000


class ConfusionMatrix:
    """Counts of (true class, predicted class): of images for a classifier, of pixels for a segmentor.

    Pixels of a label that is no class (255) do not count; nor do images with several labels, or boxes. Nothing is
    counted of more than 1000 classes.

    Args:
        classes (Sequence[str]): Names of the classes.

    Example:
        >>> matrix = ConfusionMatrix(['cat', 'dog'])
        >>> matrix.add(data_samples)
        >>> matrix.draw().savefig('confusion_matrix.png')
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes) if len(classes) <= LIMIT else []
        self.counts = np.zeros((len(self.classes),) * 2, np.int64)
        self.images = 0

    def add(self, samples: Iterable[BaseDataElement]) -> None:
        """Count data samples that have predictions and ground truth."""
        for sample in samples if self.classes else ():
            if (pair := _labels(sample)) is not None:
                self.images += 1
                true, found = pair
                count = len(self.classes)
                valid = (true >= 0) & (true < count) & (found >= 0) & (found < count)
                np.add.at(self.counts.reshape(-1), count * true[valid] + found[valid], 1)

    def draw(self) -> Figure:
        """Draw the share of each true class (row) that was predicted as each class (column)."""
        total = self.counts.sum(1, keepdims=True)
        shares = np.divide(100.0 * self.counts, total, out=np.full(self.counts.shape, np.nan), where=total > 0)
        count = len(self.classes)
        side = min(3 + 0.45 * count, 14)
        figure = Figure(figsize=(side + 1, side), layout='constrained')
        ax = figure.subplots()
        image = ax.imshow(shares, cmap='Blues', vmin=0, vmax=100)
        figure.colorbar(image, ax=ax, label='share of the true class (%)', shrink=0.8)
        ax.set_xlabel('predicted class')
        ax.set_ylabel('true class')
        ax.set_title(
            f'{self.images} images; the mean of the diagonal is {_mean_of_diagonal(shares):.1f} %', fontsize=10
        )
        if count <= _WITH_NAMES:
            ax.set_xticks(range(count), self.classes, rotation=90 if count > 5 else 0, fontsize=8)
            ax.set_yticks(range(count), self.classes, fontsize=8)
        if count <= _WITH_NUMBERS:
            for row, column in np.argwhere(~np.isnan(shares)):
                share = shares[row, column]
                ax.text(column, row, f'{share:.0f}', ha='center', va='center', fontsize=8,
                        color='white' if share > 50 else 'black')  # fmt: skip
        return figure


def _labels(sample: BaseDataElement) -> tuple[np.ndarray, np.ndarray] | None:
    """Return true and predicted labels, flat, or None if the sample lacks one of them."""
    for found, true in (('pred_sem_seg', 'gt_sem_seg'), ('pred_label', 'gt_label')):
        if found in sample and true in sample:
            pair = [getattr(sample.get(name), 'data', sample.get(name)) for name in (true, found)]
            true, found = (value.cpu().numpy().astype(np.int64).ravel() for value in pair)
            is_single = len(true) == 1 or 'gt_sem_seg' in sample
            return (true, found) if is_single and len(true) == len(found) else None
    return None


def _mean_of_diagonal(shares: np.ndarray) -> float:
    diagonal = shares.diagonal()
    return float(np.nanmean(diagonal)) if not np.isnan(diagonal).all() else float('nan')
