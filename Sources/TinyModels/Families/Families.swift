/// The recipes there are.
package enum Families {
    package static let all: [any (Family & Sendable).Type] = [
        LLaMA.self,
        GPT2.self,
        BERT.self,
        CLIP.self,
        ERNIE.self,
        Gemma.self,
        Gemma2.self,
        Gemma3.self,
        GLM.self,
        GLM4.self,
        Hunyuan.self,
        OLMo2.self,
        Phi3.self,
        Qwen2.self,
        Qwen3.self,
        SeedOSS.self,
        Spark.self,
        Aquila.self,
        BLOOM.self,
        Baichuan.self,
        CodeGen.self,
        Falcon.self,
        GPT2.self,
        GPTNeoX.self,
        IFlytekSpark.self,
        InternLM.self,
        InternLM2.self,
        LLaMA.self,
        OPT.self,
        PanguAlpha.self,
        PanguEmbedded.self,
        Qwen.self,
        Zhinao.self,
        LLaMA.self, GPT2.self, Qwen2MoE.self, Qwen3MoE.self, GPTOSS.self, GLM4MoE.self, ERNIEMoE.self, HunyuanMoE.self,
        MiniCPM.self, MiniCPM3.self, CPMAnt.self, CPMBee.self,
    ]

    package static func named(modelType: String) -> (any Family.Type)? {
        all.first { $0.modelTypes.contains(modelType) }
    }

    /// For the oldest files, which name no type.
    package static func named(architectures: [String]) -> (any Family.Type)? {
        all.first { family in architectures.contains { family.architectures.contains($0) } }
    }

    package static func named(ggufArchitecture: String) -> (any Family.Type)? {
        all.first { $0.ggufArchitectures.contains(ggufArchitecture) }
    }
}
