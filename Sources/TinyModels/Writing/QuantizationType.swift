public import TinyTensor

/// What a model's weights can be turned into: one element type for all matrices, or a mixture that gives the more
/// sensitive ones more bits.
public enum QuantizationType: String, CaseIterable, Sendable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case q8_0 = "Q8_0"
    case q4_0 = "Q4_0"
    case q4_1 = "Q4_1"
    case q5_0 = "Q5_0"
    case q5_1 = "Q5_1"
    case q4KSmall = "Q4_K_S"
    case q4KMedium = "Q4_K_M"
    case q5KSmall = "Q5_K_S"
    case q5KMedium = "Q5_K_M"
    case q6K = "Q6_K"

    /// By name, in upper or lower case; Q4_K and Q5_K are the medium mixtures.
    public init?(name: String) {
        let name = name.uppercased()
        self.init(rawValue: name == "Q4_K" || name == "Q5_K" ? name + "_M" : name)
    }

    /// What most matrices become.
    public var elementType: ElementType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .q8_0: .q8_0
        case .q4_0: .q4_0
        case .q4_1: .q4_1
        case .q5_0: .q5_0
        case .q5_1: .q5_1
        case .q4KSmall, .q4KMedium: .q4K
        case .q5KSmall, .q5KMedium: .q5K
        case .q6K: .q6K
        }
    }

    /// GGUF's `general.file_type`.
    var fileType: Int {
        switch self {
        case .f32: 0
        case .f16: 1
        case .q4_0: 2
        case .q4_1: 3
        case .q8_0: 7
        case .q5_0: 8
        case .q5_1: 9
        case .q4KSmall: 14
        case .q4KMedium: 15
        case .q5KSmall: 16
        case .q5KMedium: 17
        case .q6K: 18
        case .bf16: 32
        }
    }
}
