//! Matrices in borrowed memory.

/// Element (i, j) is `values[i · row_stride + j · column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    shape: [usize; 2],
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// # Panics
    /// If an element lies outside `values`.
    pub fn new(values: &'a [f32], shape: [usize; 2], strides: [usize; 2]) -> Self {
        assert!(
            extent(shape, strides) <= values.len(),
            "a matrix {shape:?} with strides {strides:?} needs more than {} values",
            values.len()
        );
        Self { values, shape, strides }
    }

    /// A matrix of rows that follow each other without gaps.
    pub fn rows(values: &'a [f32], [n_rows, n_columns]: [usize; 2]) -> Self {
        Self::new(values, [n_rows, n_columns], [n_columns, 1])
    }

    /// The transposed matrix, in the same memory.
    pub fn transposed(self) -> Self {
        let ([n_rows, n_columns], [row, column]) = (self.shape, self.strides);
        Self { shape: [n_columns, n_rows], strides: [column, row], ..self }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Values from a row to the next, and from a column to the next.
    pub fn strides(&self) -> [usize; 2] {
        self.strides
    }

    /// The memory, from element (0, 0) on.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Where element (0, 0) is, if there is one.
    pub fn as_ptr(&self) -> *const f32 {
        self.values.as_ptr()
    }

    /// Element (i, j).
    ///
    /// # Panics
    /// If it lies outside the memory.
    pub fn at(&self, i: usize, j: usize) -> f32 {
        self.values[i * self.strides[0] + j * self.strides[1]]
    }
}

/// The number of values from the first element to the last.
pub fn extent(shape: [usize; 2], strides: [usize; 2]) -> usize {
    match shape {
        [0, _] | [_, 0] => 0,
        [m, n] => (m - 1) * strides[0] + (n - 1) * strides[1] + 1,
    }
}
