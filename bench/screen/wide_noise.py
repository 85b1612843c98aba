"""Very many features of noise, of which the first 1,000 tell two classes apart."""

import numpy as np

BLOCK = 50_000


def write_noise(folder, features, samples, matrix=None):
    """Writes x.parquet (a row a feature) and labels.csv; the values go into `matrix`, too, if given."""
    import pyarrow as pa
    import pyarrow.parquet as parquet
    random = np.random.default_rng(1)
    names = [f"s{i}" for i in range(samples)]
    schema = pa.schema([("feature", pa.string()), *((name, pa.float32()) for name in names)])
    with parquet.ParquetWriter(folder / "x.parquet", schema, compression="zstd", use_dictionary=False) as writer:
        for begin in range(0, features, BLOCK):
            block = random.standard_normal((BLOCK, samples), dtype=np.float32)
            if begin == 0:
                block[:1000, 1::2] += 0.7
            if matrix is not None:
                matrix[begin:begin + BLOCK] = block
            columns = [pa.array([f"f{j}" for j in range(begin, begin + BLOCK)])]
            columns += [pa.array(np.ascontiguousarray(block[:, i])) for i in range(samples)]
            writer.write_table(pa.table(columns, schema=schema))
    (folder / "labels.csv").write_text("sample,label\n" + "".join(f"{n},{i % 2}\n" for i, n in enumerate(names)))


def fit_command(program, folder):
    """The untuned rule of what write_noise wrote, on one thread."""
    return [str(part) for part in (program, "screen", "fit", folder / "x.parquet", "--features", "rows", "--labels",
                                   folder / "labels.csv", "-o", folder / "x.screen", "--tune", "0", "--threads", "1")]
