package import TinyLayers

/// A model family's recipe: which files are its own, what spec follows from a configuration, and what tensors are called.
package protocol Family: Sendable {
    static var name: String { get }
    /// `model_type` in `config.json`.
    static var modelTypes: [String] { get }
    /// `architectures` in `config.json`, of a family whose first files have no `model_type`.
    static var architectures: [String] { get }
    /// `general.architecture` in GGUF.
    static var ggufArchitectures: [String] { get }

    static var outputIsSensitive: Bool { get }

    static func spec(_ config: ConfigReader) throws -> ModelSpec
    /// Names in a Hugging Face folder.
    static func names(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap
    static func ggufNames(_ spec: ModelSpec, _ config: ConfigReader) -> NameMap
    /// What reads images, where a folder holds that beside what reads text.
    static func imageTower(_ config: ConfigReader) throws -> (spec: ModelSpec, names: NameMap)?
}

extension Family {
    package static func imageTower(_ config: ConfigReader) throws -> (spec: ModelSpec, names: NameMap)? { nil }
}

extension Family {
    /// Whether quantizing leaves the head eight bits, whatever the others get.
    package static var outputIsSensitive: Bool { false }
    package static var architectures: [String] { [] }
}
