"""Real data for the chapters: tables that scikit-learn bundles, Fashion-MNIST, and text; all with checked bytes.

Arrays have the same dtype and the same order on every machine. scikit-learn and Keras are imported only by the
functions that need them. California housing is not offered: scikit-learn does not bundle it but downloads it, so that
a page using it would not run offline.
"""

from .images import ImageDataset, fashion_mnist, read_idx, upper_body
from .tables import Dataset, Standardized, breast_cancer, diabetes, digits, standardize, train_test_split
from .texts import Glosses, WordPairs, analogies, glosses, text_lines, word_pairs

__all__ = [
    "Dataset",
    "Glosses",
    "ImageDataset",
    "Standardized",
    "WordPairs",
    "analogies",
    "breast_cancer",
    "diabetes",
    "digits",
    "fashion_mnist",
    "glosses",
    "read_idx",
    "standardize",
    "text_lines",
    "train_test_split",
    "upper_body",
    "word_pairs",
]
