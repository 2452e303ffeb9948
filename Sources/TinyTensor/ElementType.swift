package import CTinyKernels

/// How the elements of a stored tensor are written: plain floats, or GGUF's blocks of codes that share scales.
public enum ElementType: String, CaseIterable, Sendable, Codable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case q8_0 = "Q8_0"
    case q4_0 = "Q4_0"
    case q4_1 = "Q4_1"
    case q5_0 = "Q5_0"
    case q5_1 = "Q5_1"
    case q2K = "Q2_K"
    case q3K = "Q3_K"
    case q4K = "Q4_K"
    case q5K = "Q5_K"
    case q6K = "Q6_K"
    case iq4NL = "IQ4_NL"
    case iq4XS = "IQ4_XS"
    case mxfp4 = "MXFP4"

    /// The kernels' name for the type.
    package var kernelType: tk_type {
        switch self {
        case .f32: TK_F32
        case .f16: TK_F16
        case .bf16: TK_BF16
        case .q8_0: TK_Q8_0
        case .q4_0: TK_Q4_0
        case .q4_1: TK_Q4_1
        case .q5_0: TK_Q5_0
        case .q5_1: TK_Q5_1
        case .q2K: TK_Q2_K
        case .q3K: TK_Q3_K
        case .q4K: TK_Q4_K
        case .q5K: TK_Q5_K
        case .q6K: TK_Q6_K
        case .iq4NL: TK_IQ4_NL
        case .iq4XS: TK_IQ4_XS
        case .mxfp4: TK_MXFP4
        }
    }

    /// Elements that are stored together; a row is a whole number of blocks.
    package var blockElements: Int { tk_block_elements(kernelType) }

    /// Bytes a block takes.
    package var blockBytes: Int { tk_block_bytes(kernelType) }

    /// Whether elements are codes with scales, which integer kernels can multiply.
    package var isQuantized: Bool { blockElements > 1 }

    /// Bytes for `elements`, or nil if that is no whole number of blocks or more than an `Int` holds.
    package func bytes(for elements: Int) -> Int? {
        guard elements >= 0, elements.isMultiple(of: blockElements) else { return nil }
        let (bytes, overflow) = (elements / blockElements).multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }
}
