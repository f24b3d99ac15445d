//! Transposing small matrices.

use packed::Matrix;

/// Rows and columns of a block: four vectors of four, which the compiler turns by shuffling.
const BLOCK: usize = 4;

/// Writes the transposed matrix row by row.
///
/// # Panics
/// If the columns of a row do not follow each other, or `out` has another size.
pub fn transpose(matrix: Matrix, out: &mut [f32]) {
    let ([m, n], [by_row, by_column]) = (matrix.shape(), matrix.strides());
    assert!(by_column == 1 || n < 2, "the rows of a matrix to transpose have gaps");
    assert_eq!(out.len(), m * n, "a transposed matrix has the size of the matrix");
    let values = matrix.values();
    let (whole_rows, whole_columns) = (m - m % BLOCK, n - n % BLOCK);
    for i in (0..whole_rows).step_by(BLOCK) {
        for j in (0..whole_columns).step_by(BLOCK) {
            let mut block = [[0.0; BLOCK]; BLOCK];
            for (k, row) in block.iter_mut().enumerate() {
                row.copy_from_slice(&values[(i + k) * by_row + j..][..BLOCK]);
            }
            for l in 0..BLOCK {
                let column = block.map(|row| row[l]);
                out[(j + l) * m + i..][..BLOCK].copy_from_slice(&column);
            }
        }
    }
    let mut rest = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        for i in rows {
            for j in columns.clone() {
                out[j * m + i] = values[i * by_row + j];
            }
        }
    };
    rest(0..whole_rows, whole_columns..n);
    rest(whole_rows..m, 0..n);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_moves_to_its_place() {
        for (m, n, by_row) in [(1, 1, 1), (4, 4, 4), (4, 8, 9), (7, 5, 8), (3, 9, 9), (13, 32, 40)]
        {
            let values: Vec<f32> = (0..m * by_row).map(|i| i as f32).collect();
            let matrix = Matrix::new(&values, [m, n], [by_row, 1]);
            let mut out = vec![-1.0; m * n];
            transpose(matrix, &mut out);
            for i in 0..m {
                for j in 0..n {
                    assert_eq!(out[j * m + i], matrix.at(i, j), "{m} x {n}, ({i}, {j})");
                }
            }
        }
    }

    #[test]
    fn a_matrix_of_nothing_is_nothing() {
        transpose(Matrix::rows(&[], [0, 3]), &mut []);
        transpose(Matrix::rows(&[], [3, 0]), &mut []);
    }
}
