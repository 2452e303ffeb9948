import Foundation
import TinyModels
import TinyTestSupport

/// A fixture with a chat template, in a folder of its own, which the model needs until its first prompt.
struct ChatFixture {
    static let template =
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\\n{{ m['content'] }}<|im_end|>\\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}"

    let folder = TemporaryFolder()
    let model: Model

    /// - Parameter context: what the model says it was made for.
    init(context: Int = 1024) throws {
        for name in ["model.safetensors", "tokenizer.json"] {
            folder.copy(Fixtures.path("llama-default/\(name)"), as: name)
        }
        let config = try String(contentsOfFile: Fixtures.path("llama-default/config.json"), encoding: .utf8)
        let limit = "\"max_position_embeddings\": "
        folder.write("config.json", config.replacing(limit + "64", with: limit + "\(context)"))
        folder.write("tokenizer_config.json", #"{"chat_template": "\#(Self.template)"}"#)
        model = try Model(at: folder.path, threads: 1)
    }
}
