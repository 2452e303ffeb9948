/// The feed-forward network of a layer.
public struct FeedForwardSpec: Equatable, Sendable, Codable {
    public enum Form: String, Equatable, Sendable, Codable {
        /// `down(f(up(x)))`
        case plain
        /// `down(f(gate(x)) · up(x))`: Shazeer 2020, arXiv:2002.05202.
        case gated
    }

    public enum Activation: String, Equatable, Sendable, Codable {
        case silu
        /// With the error function.
        case gelu
        /// With the hyperbolic tangent that approximates it.
        case geluTanh
        case relu
    }

    public var form: Form
    /// F
    public var hidden: Int
    public var activation: Activation
    public var bias: Bool

    public init(form: Form, hidden: Int, activation: Activation, bias: Bool) {
        self.form = form
        self.hidden = hidden
        self.activation = activation
        self.bias = bias
    }
}
